-- Where a process answers the others about the events that it owns, as http://HOST:PORT; null: it answers nobody. A
-- release that does not know the column leaves it as it is: whoever is asked in vain there takes it for away.
ALTER TABLE nodes ADD COLUMN address text;

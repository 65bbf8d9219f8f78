//! The rules of selling tickets.

"""Prints what an aiosmtpd mailbox has received, as JSON: a reader of mail that is not ours."""

import base64
import email
import email.policy
import json
import pathlib
import sys

messages = []
for path in sorted(pathlib.Path(sys.argv[1], "new").glob("*")):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = []
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        parts.append(
            {
                "type": part.get_content_type(),
                "charset": part.get_content_charset(),
                "file_name": part.get_filename(),
                "content": base64.b64encode(content).decode(),
            }
        )
    messages.append(
        {
            "headers": [[name, str(value)] for name, value in message.items()],
            "type": message.get_content_type(),
            "defects": [str(defect) for defect in message.defects],
            "parts": parts,
        }
    )
json.dump(messages, sys.stdout)

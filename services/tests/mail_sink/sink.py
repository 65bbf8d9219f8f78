"""A mailbox whose server knows nobody by the name of "nobody", and says so with the address."""

from aiosmtpd.handlers import Mailbox


class Sink(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("nobody@"):
            return f"550 <{address}>: nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

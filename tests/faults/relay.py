"""A relay between two ZeroMQ peers that knows where a message begins and ends, and makes trouble when it is told to.

    python relay.py LISTEN TARGET SEED      two paths of sockets (ipc)

Each connection that comes in is one that goes out, with all that the peers say of themselves (ZMTP 3, RFC 23): routing
ids, heartbeats and disconnections are the real ones. Orders come in as JSON lines: {"do", "chance", "seconds"}: for so
long, each message with that chance

    drop      never arrives
    double    arrives twice
    hold      comes late, and with it all behind it on that connection
    cut       ends its connection in its own middle: what is on its way with it is lost

and are answered with how many messages met that fate, when the time is over.
"""

import asyncio
import contextlib
import json
import random
import sys

GREETING = 64
MORE, LONG, COMMAND = 1, 2, 4
HOLD = (0.05, 1.5)  # s


class Cut(Exception):
    """This connection ends here."""


class Trouble:
    """What happens to messages now."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kind, self.chance, self.met = None, 0.0, 0

    async def order(self, kind, chance, seconds):
        """Makes that trouble for so long; how many messages it met."""
        self.kind, self.chance, self.met = kind, chance, 0
        await asyncio.sleep(seconds)
        self.kind = None
        return self.met

    async def fate(self, message):
        """The bytes that go on in place of a message. Cut: so much of it, and no more."""
        if self.kind is None or self.random.random() >= self.chance:
            return message
        self.met += 1
        if self.kind == "drop":
            return b""
        if self.kind == "double":
            return message + message
        if self.kind == "cut":
            raise Cut(message[: len(message) // 2])
        await asyncio.sleep(self.random.uniform(*HOLD))
        return message


async def _greeting(reader, writer):
    """A peer waits for the other's first bytes before it says the rest."""
    left = GREETING
    while left:
        some = await reader.read(left)
        if not some:
            raise EOFError
        left -= len(some)
        writer.write(some)


async def _frame(reader):
    """(flags, all bytes of it)."""
    flags = await reader.readexactly(1)
    size = await reader.readexactly(8 if flags[0] & LONG else 1)
    return flags[0], flags + size + await reader.readexactly(int.from_bytes(size, "big"))


async def _flow(reader, writer, trouble):
    """One direction of a connection, until it ends."""
    await _greeting(reader, writer)
    message = b""
    while True:
        flags, data = await _frame(reader)
        if flags & COMMAND:  # may stand between messages only
            writer.write(data)
        else:
            message += data
            if flags & MORE:
                continue
            writer.write(await trouble.fate(message))
            message = b""
        await writer.drain()


async def _direction(reader, writer, trouble):
    try:
        await _flow(reader, writer, trouble)
    except Cut as cut:
        writer.write(cut.args[0])
        with contextlib.suppress(OSError):
            await writer.drain()
    except (OSError, EOFError):
        pass  # IncompleteReadError is an EOFError


async def serve(listen, target, trouble):
    """Listens; each connection is relayed until one of its sides ends it."""

    async def relay(reader, writer):
        try:
            there, back = await asyncio.open_unix_connection(target)
        except OSError:  # nobody listens: as if nobody did here
            writer.close()
            return
        ways = [
            asyncio.ensure_future(_direction(reader, back, trouble)),
            asyncio.ensure_future(_direction(there, writer, trouble)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            back.close()

    return await asyncio.start_unix_server(relay, listen)


async def main(listen, target, seed):
    trouble = Trouble(seed)
    server = await serve(listen, target, trouble)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print("ready", flush=True)
    async with server:
        while line := await orders.readline():
            order = json.loads(line)
            print(json.dumps(await trouble.order(order["do"], order["chance"], order["seconds"])), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))

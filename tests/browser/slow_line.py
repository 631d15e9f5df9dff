"""A long line between a browser and a server: a TCP relay that hands on each piece a moment later."""

import asyncio
import contextlib
import threading


class SlowLine:
    """A context manager; `port`: where the server at `target`, on the loopback, answers `delay` seconds later, each
    way. It runs on a thread of its own.
    """

    def __init__(self, target, delay=0.15):
        self.target, self.delay = target, delay
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow line", daemon=True)

    def __enter__(self):
        self._thread.start()
        serving = asyncio.start_server(self._relay, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self, reader, writer):
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # the server has ended
            writer.close()
            return
        try:
            await asyncio.gather(self._flow(reader, back), self._flow(there, writer))
        finally:
            writer.close()
            back.close()

    async def _flow(self, reader, writer):
        """One direction, until its end, which is late as well."""
        pieces = asyncio.Queue()
        writing = asyncio.create_task(self._write(pieces, writer))
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                pieces.put_nowait((self._loop.time() + self.delay, piece))
        pieces.put_nowait((self._loop.time() + self.delay, b""))
        await writing

    async def _write(self, pieces, writer):
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - self._loop.time())
            with contextlib.suppress(OSError):
                if not piece:
                    return writer.write_eof()
                writer.write(piece)
                await writer.drain()

"""uvicorn's WebSocket, with a bound that it lacks."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Protocol(WebSocketsSansIOProtocol):
    """Who sends pings and never reads the answers is cut off: they would be kept without end."""

    def handle_ping(self) -> None:
        """Answers if the last answers have left."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

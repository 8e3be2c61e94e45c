"""Routes of other runners' APIs: they admit, read and run as our own do, and map through runner/apis."""

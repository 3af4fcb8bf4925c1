"""What the threads say, page by page."""

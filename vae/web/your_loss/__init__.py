"""Parts of the page Your loss."""

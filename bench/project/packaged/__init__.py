"""Pages of template packages, as live pages and as ordinary ones: what bench/packages.py measures."""

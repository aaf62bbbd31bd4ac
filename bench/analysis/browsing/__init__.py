"""Every query of one run or several, side by side: a folder of pages that are searched and filtered in a browser."""

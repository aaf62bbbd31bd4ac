"""All that runs were asked, one run or several side by side: a folder of pages that are filtered in a browser."""

"""Side-by-side measurements against the libraries people use; `python -m benches` lists them."""

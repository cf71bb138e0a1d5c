"""What training looks at: features of pictures and of their views, computed once."""

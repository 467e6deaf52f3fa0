"""A graph of stock Lava processes -> Network or IntegerNetwork; nothing of it runs."""

"""What a drift is found by and how it is mended: findings, ways, and who is asked."""

"""Many runs, and who watches them."""

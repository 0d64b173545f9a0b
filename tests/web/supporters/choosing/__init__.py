"""The page on which supporters choose who gets their letter."""

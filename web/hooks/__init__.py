"""What mail providers tell us, below /hooks/: proved, bounded, read by Anymail, written down by letters.tracking."""

"""What Postbag is measured with: itself and others side by side, never in timed tests."""

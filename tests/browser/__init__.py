"""A package, so that Lab and Chromium are started once for it and stopped after it."""

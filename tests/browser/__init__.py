"""The pages as people use them: headless Chromium on the whole product."""

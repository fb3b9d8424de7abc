"""OpenAI for gomodel-proxy."""

"""Any OpenAI-compatible API for gomodel-proxy."""

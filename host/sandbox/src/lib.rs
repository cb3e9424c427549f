//! Merchants' plugins in a sandbox: wasmtime, limits, the artifact cache.

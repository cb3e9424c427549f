//! One good document per step kind.

//! Judges each line by the days since delivery or purchase.

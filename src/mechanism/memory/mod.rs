pub mod cell;
pub mod segment;

//! The mechanisms: a folder or a file for each, with an interface and the engines behind it. The kind
//! of a name chooses the engine.

pub mod appearance;
pub mod barrier;
pub mod descriptors;
pub mod door;
pub mod fifo;
pub mod file_mutex;
pub mod limits;
pub mod lock;
pub mod lock_file;
pub mod memory;
pub mod monitor;
pub mod mutant;
pub mod new_file;
pub mod ownership;
pub mod pipe;
pub mod process_group;
pub mod queue;
pub mod remote;
pub mod robust_lock;
pub mod semaphore;
pub mod service_manager;
pub mod socket;
pub mod spool;
pub mod survey;
pub mod system_v_object;
pub mod temporary;

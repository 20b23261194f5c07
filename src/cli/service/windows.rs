//! A service of Windows: its manager starts the process, which then asks to be told when it is to stop.
//!
//! `run` hands the thread over to the manager, which calls `main` on another one. There the work is done as anywhere else.
//! The manager takes the state from a handle that is asked for once.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::service_dispatcher;

use crate::cli::WRONG;
use crate::cli::streams::say;

/// What it is called here. The manager knows each service of its own process by the name of its own list.
const NAME: &str = "portproof";
/// How long the manager is to wait for a change of state that has begun.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a service does until it is stopped; then its exit status.
type Work = Box<dyn FnOnce() -> anyhow::Result<u8> + Send>;

/// The work, for the thread of the manager.
static WORK: Mutex<Option<Work>> = Mutex::new(None);
/// What the work ended with.
static ENDED: AtomicU8 = AtomicU8::new(WRONG);
/// The service, once the manager knows it.
static SERVICE: OnceLock<Service> = OnceLock::new();

struct Service {
    handle: ServiceStatusHandle,
    stop: watch::Receiver<bool>,
}

/// Does the work as a service, until the manager stops it.
///
/// # Errors
/// When no service manager has started this process.
pub(super) fn run(work: Work) -> anyhow::Result<u8> {
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    service_dispatcher::start(NAME, main)
        .context("--service is for the service manager, which starts it: `sc.exe start NAME`")?;
    Ok(ENDED.load(Ordering::Acquire))
}

/// What the manager calls. No panic leaves it.
extern "system" fn main(_: u32, _: *mut *mut u16) {
    if let Err(fault) = register() {
        say!("the service manager does not take this service: {fault}");
        return;
    }
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        let ended = work.map_or(Ok(WRONG), |work| work());
        ended.unwrap_or_else(|fault| {
            say!("portproof: {fault:#}");
            WRONG
        })
    }));
    let status = ended.unwrap_or(WRONG);
    ENDED.store(status, Ordering::Release);
    tell(ServiceState::Stopped, status);
}

fn register() -> windows_service::Result<()> {
    let (stopper, stop) = watch::channel(false);
    let handle = service_control_handler::register(NAME, move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            stopper.send_replace(true);
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    })?;
    let _ = SERVICE.set(Service { handle, stop });
    tell(ServiceState::StartPending, 0);
    Ok(())
}

/// All has begun.
pub(super) fn ready() {
    tell(ServiceState::Running, 0);
}

/// It ends.
pub(super) fn stopping() {
    tell(ServiceState::StopPending, 0);
}

/// Ends when the manager stops the service; never where this process is none.
pub(super) async fn asked_to_stop() {
    let Some(service) = SERVICE.get() else {
        return std::future::pending().await;
    };
    // The other end lives as long as the process.
    let _ = service.stop.clone().wait_for(|stop| *stop).await;
}

/// Tells the manager a state, where this process is a service.
fn tell(state: ServiceState, exit_status: u8) {
    let Some(service) = SERVICE.get() else {
        return;
    };
    let is_pending = [ServiceState::StartPending, ServiceState::StopPending].contains(&state);
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: match state {
            ServiceState::Running => ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN,
            _ => ServiceControlAccept::empty(),
        },
        exit_code: match exit_status {
            0 => ServiceExitCode::NO_ERROR,
            status => ServiceExitCode::ServiceSpecific(status.into()),
        },
        checkpoint: 0,
        wait_hint: if is_pending { PATIENCE } else { Duration::ZERO },
        process_id: None,
    };
    if let Err(fault) = service.handle.set_service_status(status) {
        say!("the service manager does not take the state: {fault}");
    }
}

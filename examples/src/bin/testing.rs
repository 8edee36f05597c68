//! How to test a module: for real, in a system of the test's own, with stand-ins for what it talks to and a clock
//! that does not run.
//!
//! ```sh
//! cargo test -p dms-examples --bin testing
//! cargo run -p dms-examples --bin testing
//! ```
//!
//! The second prints
//!
//! ```text
//! 21.5 degrees: heating off
//! ```

use std::error::Error;
use std::time::Duration;

use dms::prelude::*;

/// Measures the temperature.
#[module]
struct Sensor;

#[module]
impl Sensor {
    #[handler(Measure)]
    fn measure(&mut self) -> f64 {
        21.5
    }
}

/// Switches the heating by what a sensor measures. It knows the sensor by type, and of the heating only what it takes.
#[module]
struct Thermostat {
    sensor: ModuleRef<Sensor>,
    heating: Recipient<Heat>,
}

/// Whether to heat.
#[derive(Debug, PartialEq)]
struct Heat(bool);

#[module]
impl Thermostat {
    #[tick(every = "1m")]
    async fn check(&mut self) {
        // Without an answer nothing is known, and nothing is switched.
        if let Ok(degrees) = self.sensor.measure().timeout(Duration::from_secs(1)).await {
            // Nor is there anything to be done about a heating that is gone.
            let _ = self.heating.send(Heat(degrees < 20.0)).await;
        }
    }
}

/// Heats.
#[module]
struct Heating;

#[module]
impl Heating {
    #[handler]
    fn heat(&mut self, Heat(on): Heat) {
        println!("21.5 degrees: heating {}", if on { "on" } else { "off" });
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new();
    let sensor = system.register_module(Sensor).await?;
    let heating = system.register_module(Heating).await?.recipient();
    system.register_module(Thermostat { sensor, heating }).await?;
    tokio::time::sleep(Duration::from_secs(61)).await;
    system.shutdown().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dms::testing::{mock, probe};

    /// With the clock paused, waiting for the next tick takes no time.
    #[tokio::test(start_paused = true)]
    async fn heats_only_when_it_is_cold_and_the_sensor_answers() {
        // A function over the enum stands in for the sensor: it answers twice, and then never again.
        let mut measured = vec![19.0, 22.0];
        let sensor = mock::<Sensor>(move |message| match message {
            SensorMessage::Measure(Measure, reply) => {
                if !measured.is_empty() {
                    reply.send(measured.remove(0));
                }
            }
        });
        // A probe stands in for whoever takes the one message, and shows it.
        let mut heating = probe::<Heat>();

        let system = System::new();
        let thermostat = Thermostat { sensor: sensor.clone(), heating: heating.recipient() };
        system.register_module(thermostat).await.unwrap();

        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(heating.recv().await, Heat(true));
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(heating.recv().await, Heat(false));
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(heating.try_recv(), None);
        system.shutdown().await;
    }
}

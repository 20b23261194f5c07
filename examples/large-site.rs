//! Writes the site file of a large site to standard output: `large-site SYSTEMS ZONES`.

use std::io::Write as _;

#[path = "../tests/support/large_site.rs"]
mod large_site;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Result<Vec<usize>, _> = std::env::args().skip(1).map(|it| it.parse()).collect();
    let [systems, zones] = numbers?[..] else {
        return Err("usage: large-site SYSTEMS ZONES".into());
    };
    if systems < 5 || zones < 4 {
        return Err("at least 5 systems in at least 4 zones".into());
    }
    std::io::stdout().write_all(large_site::large_site(systems, zones).as_bytes())?;
    Ok(())
}

//! Firewalls in words. Two of them may be the legs of one box, which one team changes in one place.

/// The firewalls that a packet meets, in this order, with `between` between them; the legs of one box stand together.
pub fn firewalls_in_words<'a>(
    names: &'a [String],
    device_of: impl Fn(&str) -> Option<&'a str>,
    between: &str,
) -> String {
    let mut boxes: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for name in names {
        let device = device_of(name);
        match boxes.last_mut() {
            Some((last, legs)) if device.is_some() && *last == device => legs.push(name),
            _ => boxes.push((device, vec![name])),
        }
    }
    let words = boxes.into_iter().map(|(device, legs)| match device {
        Some(device) if legs.len() > 1 => format!("{}, legs of {device}", legs.join(" and ")),
        Some(device) => format!("{}, a leg of {device}", legs.join(" and ")),
        None => legs.join(" and "),
    });
    words.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legs_of_one_box_stand_together() {
        let names = ["front-end", "back-end", "core"].map(str::to_string);
        let device = |name: &str| (name != "core").then_some("fw-cluster-1");
        assert_eq!(
            firewalls_in_words(&names, device, ", then "),
            "front-end and back-end, legs of fw-cluster-1, then core"
        );
        assert_eq!(
            firewalls_in_words(&names[..1], device, " and "),
            "front-end, a leg of fw-cluster-1"
        );
        assert_eq!(
            firewalls_in_words(&names[1..], |_| None, " and "),
            "back-end and core"
        );
    }
}

//! `portproof man`: the manual page, and one for each command and each command below it.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::args::Arguments;
use super::output::Output;
use super::streams::print;

pub(super) fn run(into: Option<&Path>) -> anyhow::Result<u8> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let Some(folder) = into else {
        print(&page(&program, None)?)?;
        return Ok(0);
    };
    let open = |(command, above): (&Command, Option<String>)| {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let page = page(command, above.as_deref())?;
        anyhow::Ok((Output::open(Some(&path))?, page))
    };
    let mut commands = vec![(&program, None)];
    below(&program, &mut commands);
    let pages: Vec<_> = commands.into_iter().map(open).collect::<Result<_, _>>()?;
    for (output, page) in pages {
        output.write(&page)?;
    }
    Ok(0)
}

/// Every command below this one, with the page of the one it stands below.
fn below<'a>(command: &'a Command, all: &mut Vec<(&'a Command, Option<String>)>) {
    for it in command.get_subcommands() {
        let above = command.get_display_name().unwrap_or(command.get_name());
        all.push((it, Some(above.to_string())));
        below(it, all);
    }
}

fn page(command: &Command, above: Option<&str>) -> io::Result<String> {
    let man = Man::new(command.clone())
        .source(concat!("portproof ", env!("CARGO_PKG_VERSION")))
        .manual("portproof");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    if let Some(help) = command.get_after_help() {
        sections(&help.to_string(), &mut rest);
    }
    if let Some(above) = above {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([roman(format!("{above}(1)"))]);
    }
    rest.to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// What stands below the options in `--help`: `Heading: text` begins a section, indented lines stand as they are.
fn sections(help: &str, page: &mut Roff) {
    for line in help.lines() {
        if line.starts_with(' ') {
            page.control("nf", []);
            page.text([roman(line.trim_start())]);
            page.control("fi", []);
        } else if let Some((heading, text)) = line.split_once(':')
            && heading.starts_with(|first: char| first.is_uppercase())
        {
            page.control("SH", [heading.to_uppercase().as_str()]);
            page.text([roman(text.trim())]);
        } else {
            page.text([roman(line)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_becomes_sections_and_examples_keep_their_lines() {
        let mut page = Roff::new();
        sections(
            "Examples:\n  portproof plan   no packet\n  portproof man\nExit status: 0 or\n1: one.",
            &mut page,
        );
        let page = page.to_roff();
        for part in [
            ".SH EXAMPLES\n",
            ".nf\nportproof plan   no packet\n.fi\n.nf\nportproof man\n.fi\n",
            ".SH \"EXIT STATUS\"\n0 or\n1: one.\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in:\n{page}");
        }
    }
}

//! As much of Markdown as the document checks need.

/// The parts of a document that name something, each with its line (from 1).
#[derive(Debug, Default)]
pub(super) struct Markdown {
    /// Texts between backticks.
    pub(super) spans: Vec<(usize, String)>,
    /// Command lines in fenced blocks of a shell, continued lines joined.
    pub(super) commands: Vec<(usize, String)>,
    /// Targets of links and images.
    pub(super) links: Vec<(usize, String)>,
    /// The anchors of the headings.
    pub(super) anchors: Vec<String>,
}

/// What stands after the fence where the block holds commands.
const SHELLS: [&str; 5] = ["", "bash", "console", "sh", "shell"];

impl Markdown {
    pub(super) fn parse(text: &str) -> Self {
        let mut markdown = Self::default();
        let mut paragraph = Vec::new();
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        while let Some((number, line)) = lines.next() {
            let fence: String = line.trim_start().chars().take_while(|c| matches!(c, '`' | '~')).collect();
            if fence.len() >= 3 {
                markdown.paragraph(&std::mem::take(&mut paragraph));
                let info = line.trim_start().trim_start_matches(['`', '~']).trim();
                let block = lines.by_ref().take_while(|(_, line)| !line.trim_start().starts_with(&fence));
                markdown.block(info, block);
                continue;
            }
            if line.trim().is_empty() {
                markdown.paragraph(&std::mem::take(&mut paragraph));
            } else {
                paragraph.push((number, line));
            }
            if line.starts_with('#') {
                markdown.anchors.push(anchor(line.trim_start_matches('#')));
            }
        }
        markdown.paragraph(&paragraph);
        markdown
    }

    fn block<'a>(&mut self, info: &str, lines: impl Iterator<Item = (usize, &'a str)>) {
        let is_shell = SHELLS.contains(&info.split_whitespace().next().unwrap_or_default());
        let mut open: Option<(usize, String)> = None;
        for (number, line) in lines.filter(|_| is_shell) {
            let (start, mut command) = open.take().unwrap_or((number, String::new()));
            let (text, continues) = line.strip_suffix('\\').map_or((line, false), |text| (text, true));
            command.push_str(text);
            command.push(' ');
            if continues { open = Some((start, command)) } else { self.commands.push((start, command)) }
        }
        self.commands.extend(open);
    }

    fn paragraph(&mut self, lines: &[(usize, &str)]) {
        let Some((first, _)) = lines.first() else { return };
        let text = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        let line_of = |at: usize| first + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let mut prose = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, ticks)) =
            rest.split_once('`').map(|(before, _)| (before, rest.split_at(before.len()).1))
        {
            let n_ticks = ticks.bytes().take_while(|byte| *byte == b'`').count();
            let (fence, after) = ticks.split_at(n_ticks);
            let Some((span, tail)) = after.split_once(fence) else { break };
            let at = text.len() - after.len();
            self.spans.push((line_of(at), span.split_whitespace().collect::<Vec<_>>().join(" ")));
            prose.push_str(before);
            prose.extend(fence.chars().chain(span.chars()).chain(fence.chars()).map(blank));
            rest = tail;
        }
        prose.push_str(rest);
        self.links(*first, &prose);
    }

    fn links(&mut self, first: usize, prose: &str) {
        for (index, line) in prose.lines().enumerate() {
            let inline = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
            let defined = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
            for target in inline.chain(defined) {
                let target = target.split_whitespace().next().unwrap_or_default();
                self.links.push((first + index, target.trim_matches(['<', '>']).to_owned()));
            }
        }
    }
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// A heading's anchor, made as code hosts make it: lower case, punctuation left out, spaces as hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

//! The one table of exit codes. `docs/exit-codes.md` is made from it.

use accredit::ErrorKind;

macro_rules! exits {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal),+ $(,)?) => {
        /// How the program ends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Exit {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Exit {
            /// Every exit, by ascending code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The number that the shell sees.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it means, in words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }
        }
    };
}

exits! {
    /// The command did what it was asked.
    Ok = 0,
    /// The command ran and found problems: refused lines in an import, damage found by `verify`.
    Problems = 1,
    /// The command line, the configuration or the input file cannot be used as it is.
    Usage = 2,
    /// The action, the version, the store or the file does not exist.
    NotFound = 3,
    /// The store holds something else under the same identity.
    Conflict = 4,
    /// The store or the server cannot be had right now (locked, overloaded, unreachable): try again.
    Unavailable = 5,
    /// The store is damaged.
    Corrupt = 6,
    /// A mistake in accredit itself: please report it.
    Bug = 70,
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Expected => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Corrupt => Self::Corrupt,
            ErrorKind::Bug => Self::Bug,
        }
    }
}

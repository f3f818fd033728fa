//! What a seam is asked, what it answers, and what happens where there is none; a file per idea.

mod answers; // A seam that does as it is told, and notes what it was asked.

mod ask; // The functions, with a seam and without one.
mod context; // Whose values they are, and when they go.
mod time; // Arithmetic, sleeps, and clocks that stand still.
mod report; // Errors that nobody looks at.
mod shutdown; // What a loop closes, in which order, and who is told when it is too late.
mod words; // What they say to a person.

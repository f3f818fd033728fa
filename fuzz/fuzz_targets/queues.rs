#![cfg_attr(fuzzing, no_main)]
corio_fuzz::target!(corio_fuzz::queues::run);

using Rpat.Trainer.Cli;

return App.Run(args, Host.OfProcess());

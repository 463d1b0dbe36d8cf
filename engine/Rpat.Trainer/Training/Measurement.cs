using Rpat.Engine.Nn;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Distributed;

namespace Rpat.Trainer.Training;

/// <summary>Measures the reported network after an epoch on the images that choose a checkpoint; the processes of a team divide them.</summary>
internal sealed class Measurement
{
    private readonly TrainerConfig _config;
    private readonly TrainingSetup _setup;
    private readonly RunTeam _team;
    private (Classifier Net, Evaluator Evaluator)? _measured;

    public Measurement(TrainerConfig config, TrainingSetup setup, RunTeam team)
    {
        (_config, _setup, _team) = (config, setup, team);
        Images = config.Eval.Select switch
        {
            SelectOn.Test => setup.TestImages,
            SelectOn.Validation => setup.Validation,
            _ => null,
        };
    }

    /// <summary>The images, or null where none choose.</summary>
    public LabeledImages? Images { get; }

    /// <summary>Whether the epoch that has just been trained is to be measured.</summary>
    public bool IsDue(RunState state) => Images is not null && (state.Epoch % _config.Eval.Every == 0 || state.Step >= _setup.TotalSteps);

    /// <summary>The accuracy on clean images and under the monitored attack.</summary>
    public (double Clean, double Robust) Run()
    {
        double clean = Accuracy(null);
        return (clean, _config.Eval.Monitor.Steps == 0 ? clean : Accuracy(_setup.Attack(_config.Eval.Monitor.Steps)));
    }

    // The reported network changes when averaged weights take over.
    private double Accuracy(PgdOptions? attack)
    {
        if (_measured?.Net != _setup.Reported) _measured = (_setup.Reported, new Evaluator(_setup.Reported, _config.Eval.Batch));
        return _team.Evaluate(_measured!.Value.Evaluator, Images!, attack, _setup.Seed).Fraction;
    }
}

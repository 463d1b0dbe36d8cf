using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Training;

namespace Rpat.Trainer.Distributed;

/// <summary>
/// The training loop of every rank but 0, step for step that of <see cref="TrainingRun"/>. It writes and shows nothing: what it needs to know it
/// computes alike, or rank 0 says it.
/// </summary>
internal sealed class WorkerRun
{
    private readonly TrainerConfig _config;
    private readonly TrainingSetup _setup;
    private readonly RunTeam _team;
    private readonly RunState _state;
    private readonly BatchStream _batches;
    private readonly StepInput _input;
    private readonly DivergenceGuard _guard;
    private readonly Measurement _measurement;

    private WorkerRun(TrainerConfig config, TrainingSetup setup, RunTeam team)
    {
        (_config, _setup, _team, _state) = (config, setup, team, new RunState(setup.Step));
        (_batches, _input) = (setup.Batches(), new StepInput(setup.Step, setup.DeviceImages()));
        _guard = new DivergenceGuard(config.Guard, setup.Model.Classes);
        _measurement = new Measurement(config, setup, team);
    }

    /// <summary>Trains and measures with the others.</summary>
    /// <returns>0, or the exit code of the stop that all have agreed on.</returns>
    public static int Execute(TrainerConfig config, TrainingSetup setup, RunTeam team) => new WorkerRun(config, setup, team).Execute();

    private bool IsTrained => _state.Step == _setup.TotalSteps && _state.Statistics.Images == 0;

    private int StepOfEpoch => _state.Step - (_state.Epoch - 1) * _setup.StepsPerEpoch;

    private int Execute()
    {
        _team.ShareState(_setup, _state);
        while (!_team.IsStopping && !IsTrained) EpochOrRollback();
        if (!_team.IsStopping) Evaluate();
        return _team.Code;
    }

    private void EpochOrRollback()
    {
        try
        {
            Epoch();
        }
        catch (DivergedException)
        {
            _team.ShareState(_setup, _state); // or rank 0 ends the run
        }
    }

    private void Epoch()
    {
        var schedule = _setup.Schedule();
        foreach (ImageBatch batch in _batches.Epoch(_state.Epoch, first: StepOfEpoch))
        {
            if (_state.Step == _setup.TotalSteps || _team.Stops()) break;
            float rate = schedule.Rate(_state.Step++) * (float)_state.Guard.RateFactor;
            _input.Run(batch, _setup.At(_state.Epoch, _state.Step - 1, rate));
            _state.Statistics.Add(batch.Labels);
            _state.Guard = _guard.Check(_state.Guard, _state.Step, _state.Statistics.LastLoss, _state.Statistics.OnlyClass);
        }
        if (!_team.IsStopping) Finish();
    }

    private void Finish()
    {
        if (StepOfEpoch == _setup.StepsPerEpoch) _setup.EndEpoch(_batches, _state.Epoch);
        if (_measurement.IsDue(_state)) _measurement.Run();
        _state.NextEpoch();
    }

    private void Evaluate()
    {
        try
        {
            Measure();
            if (!_team.Share(false)) return; // whether there is a best network apart from the last
            _team.ShareReported(_setup);
            Measure();
        }
        catch (OperationCanceledException)
        {
            // All have agreed to stop.
        }
    }

    private void Measure()
    {
        var evaluator = new Evaluator(_setup.Reported, _config.Eval.Batch);
        foreach (var attack in _config.Eval.Attacks)
            _team.Evaluate(evaluator, _setup.TestImages, attack.Steps == 0 ? null : _setup.Attack(attack.Steps), _setup.Seed, stops: true);
    }
}

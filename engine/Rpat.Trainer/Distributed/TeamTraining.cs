using System.Text;
using Rpat.Engine.Distributed;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Cli;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Runs;
using Rpat.Trainer.Training;

namespace Rpat.Trainer.Distributed;

/// <summary>A training run of several processes as rank 0 runs it; whatever ends it here ends it for all.</summary>
internal sealed class TeamTraining : IDisposable
{
    private readonly Communicator _team;
    private readonly Place _place;
    private readonly RunPlan _plan;
    private readonly TrainingSetup _setup;

    /// <summary>Gives the others the configuration and opens everything.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="place">Rank 0's place.</param>
    /// <param name="plan">What is to be trained.</param>
    /// <param name="host">Where notes go.</param>
    public TeamTraining(Communicator team, Place place, RunPlan plan, Host host)
    {
        (_team, _place) = (team, place);
        team.BroadcastBytes(Encoding.UTF8.GetBytes(ConfigWriter.Write(plan.Resolved)));
        var config = TeamSetup.Local(plan.Resolved.Config, place);
        _plan = plan with { Resolved = plan.Resolved with { Config = config } };
        _setup = ForAll(() =>
        {
            new FirstUse(host).Require(config.Device.Name, config.Device.Precision);
            return TrainingSetup.Open(config, team);
        });
        if (plan.Folder is null && config.Run.CheckDisk) ForAll(() => Fits(config));
    }

    /// <summary>The run's folder, once there is one.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>Trains.</summary>
    /// <returns>The process's exit code.</returns>
    public int Run(IReadOnlyList<string> arguments, Host host) => ForAll(() => TrainSession.Run(
        _plan, _setup.Compute(), arguments, host,
        (config, run, view, stop) => ForAll(() =>
        {
            Folder = run.Path;
            stop.Leaving = code => _team.Fail(code, "rank 0 was stopped before it had saved");
            return TrainingRun.Execute(config, _setup, run, view, stop, new RunTeam(_team, stop, Description(config)));
        })));

    public void Dispose() => _setup.Dispose();

    private string Description(TrainerConfig config) => FormattableString.Invariant(
        $"{_place.Description}; each computes {config.Train.Batch / _place.Size} of a batch's {config.Train.Batch} images with {config.Run.Threads} thread{(config.Run.Threads == 1 ? "" : "s")}");

    private bool Fits(TrainerConfig config)
    {
        DiskNeed.Of(config, _setup).Require(config.Run.Out);
        return true;
    }

    private T ForAll<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is not PeerLostException)
        {
            var report = ErrorReport.Of(error);
            _team.Fail(report.Code, report.Sentence);
            throw;
        }
    }
}

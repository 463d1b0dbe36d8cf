using Rpat.Trainer.Bench;
using Rpat.Trainer.Cli;
using Rpat.Trainer.Reproduce;

namespace Rpat.Trainer.Distributed;

/// <summary>A rank other than 0 from its start to its exit code: it joins the others, takes rank 0's
/// configuration, and trains with them.</summary>
internal static class WorkerSession
{
    // If all are stopped at once, rank 0 is the one to report that time is up.
    private static readonly TimeSpan _afterRankZero = TimeSpan.FromSeconds(5);

    /// <summary>Runs this rank.</summary>
    /// <returns>The process's exit code.</returns>
    public static int Run(ProcessRank place, CommandContext host, Func<Transport> transport) =>
        Run(place, host, transport, (group, lines) => Train(place, group, host with { Error = lines }));

    /// <summary>Runs something else in this rank, such as a benchmark.</summary>
    /// <param name="work">What to do with the group; its errors go to the writer.</param>
    /// <returns>The process's exit code.</returns>
    public static int Run(ProcessRank place, CommandContext host, Func<Transport> transport, Func<IProcessGroup, TextWriter, int> work)
    {
        using var lines = new PrefixedLines(host.Error, FormattableString.Invariant($"rank {place.Rank}"));
        try
        {
            using var group = transport().Join();
            using var report = new LossReport(group, place, lines);
            return work(group, lines);
        }
        catch (HandshakeException same) when (same.IsCommon)
        {
            Thread.Sleep(_afterRankZero); // rank 0 reports it, which the launcher would keep it from if this rank ended first
            return ExitCode.Usage;
        }
        catch (PeerLostException lost)
        {
            LossReport.WaitForTurn(place, lost, lines);
            return ErrorReport.Of(lost).Code; // a rank that failed has reported why
        }
        catch (Exception error)
        {
            return ErrorOutput.Print(error, lines, details: host.Loudness.Level == LogLevel.Debug);
        }
    }

    private static int Train(ProcessRank place, IProcessGroup group, CommandContext host)
    {
        using var stop = new StopRequest { Leave = Environment.Exit };
        var team = new RunProcessGroup(group, stop);
        return team.ForAll(() =>
        {
            string text = Encoding.UTF8.GetString(group.BroadcastBytes([]));
            var config = ProcessGroupSetup.Local(ConfigResolver.Resolve(
                [Layers.Defaults(), YamlLayer.Read(text, "rank 0's configuration")]).Config, place);
            new FirstUse(host).Require(config.Device.Name, config.Device.Precision);
            using var run = Training.Run.Open(config, team, resumes: true);
            if (config.Run.Grace > 0) stop.Grace = TimeSpan.FromSeconds(config.Run.Grace) + _afterRankZero;
            stop.Listen();
            TrainingLoop.Execute(run);
            return team.Code;
        });
    }
}

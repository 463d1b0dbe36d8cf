using System.Runtime.Versioning;
using Rpat.Tests.Support;
using Rpat.Training.Runs;

namespace Rpat.Tests.Trainer.Training;

public sealed class SlurmJobTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [TheoryWith(Need.Posix)]
    [UnsupportedOSPlatform("windows")]
    [InlineData("exit 0", "saved, and Slurm job 7_2 is put back into the queue")]
    [InlineData("echo no such job >&2; exit 1", "run.requeue: 'scontrol requeue 7_2' failed (no such job); the run continues.")]
    [InlineData("sleep 60", "run.requeue: 'scontrol requeue 7_2' does not answer; the run continues.")]
    public void WhatSlurmAnswersIsSaid(string script, string sentence)
    {
        string tool = _test.Write("scontrol", $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(sentence, SlurmJob.Requeue("7_2", tool, TimeSpan.FromSeconds(script.StartsWith("sleep", StringComparison.Ordinal) ? 1 : 20)));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
    }
}

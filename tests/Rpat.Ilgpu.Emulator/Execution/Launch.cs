using System.Collections.Concurrent;
using System.Reflection;
using ILGPU;
using Rpat.Ilgpu.Emulator.Fibres;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>One launch: a kernel, its grid and its arguments.</summary>
internal sealed record Launch(string Name, FibreCode Code, KernelConfig Config, Arguments Arguments)
{
    /// <summary>Threads that a group may have on any GPU.</summary>
    public const int MaxThreads = 1024;
}

/// <summary>A kernel that was loaded.</summary>
internal sealed class Launchable(MethodInfo method)
{
    private static readonly ConcurrentBag<GroupRun> s_idle = [];

    private readonly FibreCode _code = FibreCode.For(method);

    // A generic entry point is known by what it runs.
    private string Name { get; } = method.IsGenericMethod ? string.Join('+', method.GetGenericArguments().Select(Short)) : method.Name;

    /// <summary>Runs all groups. They share no state but global memory, so they run on all cores at once.</summary>
    public void Run(KernelConfig config, Arguments arguments)
    {
        CheckSize(config);
        var launch = new Launch(Name, _code, config, arguments);
        int groups = config.GridDim.Size;
        int workers = Math.Min(groups, Emulation.Threads);
        if (workers == 1) RunShare(launch, 0, 1);
        else RunParallel(launch, workers);
    }

    private static string Short(Type type) => type.IsGenericType
        ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Short))}>"
        : type.Name;

    private static void RunParallel(Launch launch, int workers)
    {
        try
        {
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, worker => RunShare(launch, worker, workers));
        }
        catch (AggregateException all)
        {
            throw all.InnerExceptions[0];
        }
    }

    private static void RunShare(Launch launch, int first, int step)
    {
        if (!s_idle.TryTake(out var run)) run = new GroupRun();
        run.Begin(launch);
        for (int group = first; group < launch.Config.GridDim.Size; group += step) run.Execute(group);
        s_idle.Add(run); // not after a fault: its state is in the middle of something
    }

    private void CheckSize(KernelConfig config)
    {
        var (grid, group) = (config.GridDim, config.GroupDim);
        if (group.X < 1 || group.Y < 1 || group.Z is < 1 or > 64 || group.LongSize > Launch.MaxThreads)
            throw new EmulatorException($"Kernel {Name} is launched with groups of {group} threads: a group has 1 to {Launch.MaxThreads}.");
        if (grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535)
            throw new EmulatorException($"Kernel {Name} is launched with a grid of {grid} groups: " +
                "at least 1 along each axis, and at most 65535 along Y and Z.");
    }
}

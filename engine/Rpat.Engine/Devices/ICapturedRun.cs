namespace Rpat.Engine.Devices;

/// <summary>The host's part of a tape's run, which is repeated at each launch of recorded work: only the kernels are recorded.</summary>
internal interface ICapturedRun
{
    /// <summary>Whether its nodes are timed one by one, which is impossible for recorded work.</summary>
    bool IsProfiled { get; }

    /// <summary>Does the host's part of a run.</summary>
    void Begin();

    /// <summary>Its recorded kernels are launched: values that others of them overwrite are gone.</summary>
    void End();

    /// <summary>Grows whenever a by-value kernel argument has changed.</summary>
    long Changes();
}

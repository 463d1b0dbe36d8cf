using Rpat.Robust.Settings;

namespace Rpat.Training.Config;

/// <summary>The evaluation during and after training.</summary>
internal sealed record EvalSection
{
    [Setting("held-out images to evaluate; 0 for all", Max = int.MaxValue)]
    public int N { get; init; }

    [Setting("what to measure: clean, pgdN with N steps, or any other of 'rpat attacks'", Kind = typeof(EvalAttackKind))]
    public IReadOnlyList<EvalAttack> Attacks { get; init; } = [EvalAttack.Clean, new("pgd20")];

    [Setting("images per evaluation batch", Min = 1, Max = 1 << 20)]
    public int Batch { get; init; } = 100;

    [Setting("images that choose the best checkpoint; 'test' makes its test accuracy too good", Plural = "choices")]
    public SelectOn Select { get; init; }

    [Setting("attack that chooses the best checkpoint", Kind = typeof(EvalAttackKind))]
    public EvalAttack Monitor { get; init; } = new("pgd10");

    [Setting("choose every N epochs", Min = 1)]
    public int Every { get; init; } = 1;
}

/// <summary>Which images choose the best checkpoint.</summary>
internal enum SelectOn
{
    /// <summary>Those held out by <c>data.validation</c>; without them no checkpoint is chosen.</summary>
    Validation,

    /// <summary>The test images, which makes its test accuracy too good.</summary>
    Test,

    /// <summary>No checkpoint is chosen.</summary>
    None,
}

/// <summary>What to do about a run that diverges or overfits.</summary>
internal sealed record GuardSection
{
    [Setting("when training diverges: end with exit code 5, or go back with a lower learning rate", Plural = "actions")]
    public GuardAction Action { get; init; }

    [Setting("diverged when the smoothed loss is N times its lowest, at least ln(classes); 0 for never")]
    public double Explode { get; init; } = 10;

    [Setting("diverged when all images of N steps are put in one class; 0 for never", Max = int.MaxValue)]
    public int Constant { get; init; } = 500;

    [Setting("roll back at most so often", Min = 1, Max = 100)]
    public int Rollbacks { get; init; } = 3;

    [Setting("what a rollback multiplies the learning rate with", Max = 1)]
    public double Cut { get; init; } = 0.5;

    [Setting("warn when robust validation accuracy falls by this from its best while training's rises; 0 for never", Max = 1)]
    public double Overfit { get; init; } = 0.02;
}

/// <summary>What happens to a run that diverges.</summary>
internal enum GuardAction
{
    /// <summary>It ends with exit code 5.</summary>
    Stop,

    /// <summary>It returns to its last planned checkpoint with a lower learning rate.</summary>
    Rollback,
}

/// <summary>When the run is saved so that it can be resumed; none of this changes the weights.</summary>
internal sealed record CheckpointSection
{
    [Setting("save every N epochs; 0 for the last only")]
    public int Epochs { get; init; } = 1;

    [Setting("also every N steps; 0 for none", Max = int.MaxValue)]
    public int Steps { get; init; }

    [Setting("also when the last checkpoint is N seconds old; 0 for never")]
    public double Seconds { get; init; } = 600;

    [Setting("how many of the newest checkpoints stay", Min = 1)]
    public int Keep { get; init; } = 2;

    [Setting("the checkpoint of every Nth epoch stays for good; 0 for none")]
    public int KeepEvery { get; init; }
}

/// <summary>One column of the result.</summary>
/// <param name="Name">A name of <see cref="AttackCatalog"/>, such as <c>clean</c> or <c>pgd20</c>.</param>
internal sealed record EvalAttack(string Name)
{
    /// <summary>No attack at all.</summary>
    public static EvalAttack Clean { get; } = new("clean");

    /// <summary>Whether no attack is made.</summary>
    public bool IsClean => this == Clean;

    /// <summary>The name as a table's heading: <c>Clean</c>, <c>PGD-20</c>, <c>AA</c>.</summary>
    public string Title => AttackTitle.Of(Name);

    /// <summary>The attacks under a run's threat model, with the catalog's settings: those of <c>rpat
    /// eval</c> by that name; null for none.</summary>
    /// <exception cref="ArgumentException">The attack does not support the norm.</exception>
    public AttackSuite? Suite(AttackSection threat, int classes) => AttackCatalog.Find(Name, threat.Norm, threat.Eps, classes);
}

/// <summary>How the numbers are computed; results differ by rounding only.</summary>
internal sealed record DeviceSection
{
    [Setting("what computes: cpu, cuda:0 for the first NVIDIA GPU (no OpenCL), or auto for a GPU where there is one",
        Kind = typeof(DeviceKind))]
    public string Name { get; init; } = "auto";

    [Setting("how a GPU's convolutions round their factors, and in bf16 activations too (a CPU emulates that); sums are fp32",
        Kind = typeof(PrecisionKind), Plural = "precisions")]
    public string Precision { get; init; } = "fp32";

    [Setting("convolution: Winograd where it is faster and exact enough, or direct only", Name = "conv", Plural = "algorithms")]
    public ConvolutionAlgorithm Convolution { get; init; }
}

/// <summary>What is shown while training.</summary>
internal sealed record LogSection
{
    [Setting("how progress is shown on stderr", Plural = "views")]
    public ProgressKind Progress { get; init; }

    [Setting("seconds between two lines of the plain view")]
    public double Interval { get; init; } = 30;

    [Setting("write events for TensorBoard into the run's folder tb", Name = "tensorboard")]
    public bool TensorBoard { get; init; } = true;
}

/// <summary>The kind of progress view.</summary>
internal enum ProgressKind
{
    /// <summary>Live in a terminal, plain elsewhere.</summary>
    Auto,

    /// <summary>A table and a bar, redrawn in place.</summary>
    Live,

    /// <summary>Lines of key=value.</summary>
    Plain,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>What carries values between the processes of a run.</summary>
internal enum TransportKind
{
    /// <summary>MPI under mpirun, and under srun with MPI support on several machines, if its library is there; else TCP.</summary>
    Auto,

    /// <summary>TCP, with nothing to install.</summary>
    Tcp,

    /// <summary>An MPI library.</summary>
    Mpi,

    /// <summary>NCCL for gradients, and what auto chooses for the rest.</summary>
    Nccl,
}

/// <summary>How NCCL adds gradients; other transports add in rank order.</summary>
internal enum ReduceKind
{
    /// <summary>By its own all-reduce, whose bits are the same in each run on the same number of GPUs.</summary>
    Ring,

    /// <summary>In rank order: the bits of other transports.</summary>
    Ordered,
}

/// <summary>Where and how the run happens; none of this changes the weights.</summary>
internal sealed record RunSection
{
    [Setting("folder that holds the run folders")]
    public string Out { get; init; } = "runs";

    [Setting("name in the run's folder; empty for the recipe's", Kind = typeof(FolderNameKind))]
    public string Name { get; init; } = "";

    [Setting("threads of each process; 0 for one per core", Max = 1024)]
    public int Threads { get; init; }

    [Setting("processes of this machine that divide each batch and its cores; on GPUs one each", Min = 1, Max = 1024)]
    public int Processes { get; init; } = 1;

    [Setting("what carries values between processes: auto for MPI under mpirun, or under srun on several machines, else TCP; "
        + "nccl has run on no GPU yet", Plural = "transports")]
    public TransportKind Transport { get; init; }

    [Setting("how nccl adds gradients: its own ring, or ordered by rank with the bits of other transports", Plural = "reductions")]
    public ReduceKind Reduce { get; init; }

    [Setting("save and stop after N minutes, with exit code 7; 0 for no limit", Max = 60_000)]
    public double MaxMinutes { get; init; }

    [Setting("seconds that a stopped run has to finish its step and save; 0 for as long as it takes")]
    public double Grace { get; init; } = 60;

    [Setting("under Slurm, SIGUSR1 also puts the job back into the queue ('scontrol requeue')")]
    public bool Requeue { get; init; }

    [Setting("refuse a run whose checkpoints will not fit on the disk")]
    public bool CheckDisk { get; init; } = true;
}

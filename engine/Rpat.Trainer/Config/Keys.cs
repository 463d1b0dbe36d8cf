using System.Globalization;
using System.Text.RegularExpressions;
using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Models;
using Rpat.Robust;
using Rpat.Trainer.Data;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Config;

/// <summary>Every key of the configuration: its place, default, kind and meaning. What is not listed here is an unknown key.</summary>
internal static partial class Keys
{
    public static readonly Leaf<string> RecipeName = new("recipe.name", "", Kinds.Text, "recipe to start from; see 'rpat recipes'");
    public static readonly Leaf<string> RecipeAbout = new("recipe.about", "", Kinds.Text, "what the recipe is, in one line");

    public static readonly Leaf<string> DataName = new(
        "data.name", FashionMnistSet.Name, new Kind<string>(ReadDataSet), "data set, npz:FILE or folder:DIR; see 'rpat data'");
    public static readonly Leaf<string> DataDir = new(
        "data.dir", "", Kinds.Text, "folder of the data set's files; empty for the usual places");
    public static readonly Leaf<int> DataCrop = new(
        "data.augment.crop", "0", Kinds.Whole(0, 64), "border in pixels for random crops; 0 for none");
    public static readonly Leaf<CropBorder> DataBorder = new(
        "data.augment.border", "zero", Kinds.OneOf("borders", ("zero", CropBorder.Zero), ("reflect", CropBorder.Reflect)),
        "what the border for random crops holds: zeros or the mirrored image");
    public static readonly Leaf<bool> DataFlip = new("data.augment.flip", "false", Kinds.Flag, "mirror half of the images left to right");
    public static readonly Leaf<int> DataCutout = new(
        "data.augment.cutout", "0", Kinds.Whole(0, 4096), "side in pixels of a square that is blackened in each image; 0 for none");
    public static readonly Leaf<double> DataCutMix = new(
        "data.augment.cutmix", "0", Kinds.Real(0, 1), "share of batches whose images are mixed by CutMix; 0 for none");

    public static readonly Leaf<double> Validation = new(
        "data.validation", "0", new Kind<double>(ReadHeldOut), "training images held out to choose the best checkpoint: how many, or a share below 1");

    public static readonly Leaf<string> ModelName = new("model.name", "preactresnet18", new Kind<string>(ReadModel), "network; see 'rpat models'");
    public static readonly Leaf<int> ModelWidth = new(
        "model.width", "0", Kinds.Whole(0, 4096), "channels of the first stage, or a wide ResNet's factor; 0 for the published network's");
    public static readonly Leaf<int> ModelBlocks = new(
        "model.blocks", "0", Kinds.Whole(0, 100), "residual blocks in each stage; 0 for the published network's");
    public static readonly Leaf<int> ModelClasses = new(
        "model.classes", "0", Kinds.Whole(0, 100_000), "outputs; 0 for the data set's number of classes");

    public static readonly Leaf<int> ModelStem = new(
        "model.stem_stride", "0", Kinds.Whole(0, 4), "step of the first convolution; 0 for the network's own rule");
    public static readonly Leaf<string> ModelWeights = new(
        "model.weights", "", Kinds.Text, "run folder or weights to start from; empty for random ones")
    { IsOptional = true };
    public static readonly Leaf<IReadOnlyList<double>> ModelMean = new(
        "model.mean", "", Kinds.ListOf(Kinds.Real(-1, 2)), "mean of each channel, for a normalisation as first layer; empty for none");
    public static readonly Leaf<IReadOnlyList<double>> ModelStd = new(
        "model.std", "", Kinds.ListOf(Kinds.Real(1e-6)), "standard deviation of each channel, likewise");

    public static readonly Leaf<string> MethodName = new(
        "method.name", "pgd-at+rpat", Kinds.Name("methods", MethodCatalog.Names), "training method");
    public static readonly Leaf<double> RpatWeight = new(
        "method.rpat.weight", "1", Kinds.Real(0), "lambda, the perception term's weight in the scale of its form");
    public static readonly Leaf<double> RpatAlpha = new(
        "method.rpat.alpha", "0.5", Kinds.Real(0, 1), "place of the middle image between clean (0) and adversarial (1)");
    public static readonly Leaf<RpatForm> RpatFormKey = new(
        "method.rpat.form", "code", Kinds.OneOf("forms", ("code", RpatForm.Code), ("quotient", RpatForm.Quotient)),
        "scale of the term: the official code's or the paper's difference quotients");
    public static readonly Leaf<int> RpatStart = new("method.rpat.start", "0", Kinds.Whole(0), "first epoch (from 1) that uses the term");
    public static readonly Leaf<double> AwpGamma = new(
        "method.awp.gamma", "0", Kinds.Real(0), "adversarial weight perturbation on top of the method, relative to each tensor; 0 for the method's own");
    public static readonly Leaf<int> AwpStart = new("method.awp.start", "1", Kinds.Whole(1), "first epoch (from 1) with that perturbation");
    public static readonly Leaf<string> CleanTeacher = new(
        "method.teachers.clean", "", Kinds.Text, "run folder or weights of a network trained on clean images (kd-swa)")
    { IsOptional = true };
    public static readonly Leaf<string> RobustTeacher = new(
        "method.teachers.robust", "", Kinds.Text, "run folder or weights of an adversarially trained network (kd-swa)")
    { IsOptional = true };

    /// <summary>The settings of all methods, by name; which of them a method has, 'rpat methods show' says.</summary>
    public static readonly IReadOnlyList<Leaf<string>> MethodSettings =
    [
        .. from parameter in MethodCatalog.All.SelectMany(method => method.Parameters)
           group parameter by parameter.Name into same
           orderby same.Key
           select new Leaf<string>($"method.{same.Key}", "", Kinds.Text, $"{same.First().About}; empty for the method's own") { IsOptional = true },
    ];

    public static readonly Leaf<AttackNorm> Norm = new(
        "attack.norm", "linf", Kinds.OneOf("norms", ("linf", AttackNorm.Linf), ("l2", AttackNorm.L2)), "norm of the perturbation");
    public static readonly Leaf<double> Eps = new("attack.eps", "8/255", Kinds.Pixels, "largest perturbation, images lie in [0,1]");
    public static readonly Leaf<double> Step = new("attack.step", "2/255", Kinds.Pixels, "length of one step, images lie in [0,1]");
    public static readonly Leaf<int> Steps = new("attack.steps", "10", Kinds.Whole(1, 100_000), "steps of the training attack");
    public static readonly Leaf<int> Restarts = new(
        "attack.restarts", "1", Kinds.Whole(1, 1000), "attacks per batch; the strongest counts");
    public static readonly Leaf<AttackStart> Start = new(
        "attack.start", "auto", Kinds.OneOf(
            "starts", ("auto", AttackStart.Auto), ("random", AttackStart.Random), ("gaussian", AttackStart.Gaussian),
            ("direction", AttackStart.Direction), ("zero", AttackStart.Zero)),
        "where the attack starts: the method's choice, a random point of the ball, next to the image, or at it");
    public static readonly Leaf<AttackBatchNorm> AttackBn = new(
        "attack.bn", "auto", Kinds.OneOf(
            "modes", ("auto", AttackBatchNorm.Auto), ("eval", AttackBatchNorm.Eval), ("train", AttackBatchNorm.Train), ("frozen", AttackBatchNorm.Frozen)),
        "batch normalisation while attacking: the method's choice, running, batch, or batch statistics that move nothing");

    public static readonly Leaf<double> Lr = new("optimizer.lr", "0.1", Kinds.Real(0), "base learning rate");
    public static readonly Leaf<double> Momentum = new("optimizer.momentum", "0.9", Kinds.Real(0, 1), "momentum");
    public static readonly Leaf<double> WeightDecay = new("optimizer.weight_decay", "5e-4", Kinds.Real(0), "weight decay, on every weight");
    public static readonly Leaf<bool> Nesterov = new("optimizer.nesterov", "false", Kinds.Flag, "look ahead by one momentum");

    public static readonly Leaf<double> Clip = new(
        "optimizer.clip", "0", Kinds.Real(0), "largest L2 norm of the whole gradient, which is shortened to it; 0 for any");

    public static readonly Leaf<ScheduleKind> Schedule = new(
        "schedule.kind", "cosine",
        Kinds.OneOf(
            "schedules", ("cosine", ScheduleKind.Cosine), ("piecewise", ScheduleKind.Piecewise), ("constant", ScheduleKind.Constant)),
        "curve of the learning rate");
    public static readonly Leaf<double> Warmup = new("schedule.warmup", "0", Kinds.Real(0), "epochs of linear rise at the start");
    public static readonly Leaf<IReadOnlyList<int>> Milestones = new(
        "schedule.milestones", "100, 105", Kinds.ListOf(Kinds.Whole(1)), "epochs after which a piecewise schedule drops the rate");
    public static readonly Leaf<double> Factor = new("schedule.factor", "0.1", Kinds.Real(0), "what each milestone multiplies the rate by");

    public static readonly Leaf<int> Epochs = new("train.epochs", "3", Kinds.Whole(1), "passes over the training images");
    public static readonly Leaf<int> Batch = new("train.batch", "128", Kinds.Whole(1, 1 << 20), "images per step");
    public static readonly Leaf<int> Accumulate = new(
        "train.accumulate", "1", Kinds.Whole(1, 1 << 20), "batches whose mean gradient makes one step of the optimizer; schedules count batches");
    public static readonly Leaf<long> Seed = new("train.seed", "0", Kinds.Seed, "seed of all randomness");
    public static readonly Leaf<int> MaxSteps = new("train.max_steps", "0", Kinds.Whole(0), "end after so many steps; 0 for no limit");

    public static readonly Leaf<bool> OverfitBatch = new(
        "train.overfit_batch", "false", Kinds.Flag, "train and measure on one batch only, as it is: a network that cannot learn that has a fault");

    public static readonly Leaf<double> Ema = new(
        "average.ema", "0", Kinds.Real(0, 1), "decay per step of averaged weights; 0 for the method's own average, if it has one");
    public static readonly Leaf<int> Swa = new(
        "average.swa", "0", Kinds.Whole(0), "first epoch (from 1) of a mean of the weights after each epoch; 0 for none");
    public static readonly Leaf<int> AverageStart = new("average.start", "1", Kinds.Whole(1), "first epoch (from 1) in which averaged weights move on their own");
    public static readonly Leaf<bool> AverageReport = new("average.report", "true", Kinds.Flag, "report the averaged network instead of the trained one");

    public static readonly Leaf<int> EvalN = new("eval.n", "0", Kinds.Whole(0), "held-out images to evaluate; 0 for all");
    public static readonly Leaf<IReadOnlyList<EvalAttack>> EvalAttacks = new(
        "eval.attacks", "clean, pgd20", Kinds.ListOf(new Kind<EvalAttack>(ReadAttack)), "what to measure: clean, pgdN with N steps");
    public static readonly Leaf<int> EvalBatch = new("eval.batch", "100", Kinds.Whole(1, 1 << 20), "images per evaluation batch");

    public static readonly Leaf<SelectOn> EvalSelect = new(
        "eval.select", "validation",
        Kinds.OneOf("choices", ("validation", SelectOn.Validation), ("test", SelectOn.Test), ("none", SelectOn.None)),
        "images that choose the best checkpoint; 'test' makes its test accuracy too good");
    public static readonly Leaf<EvalAttack> EvalMonitor = new("eval.monitor", "pgd10", new Kind<EvalAttack>(ReadAttack), "attack that chooses the best checkpoint");
    public static readonly Leaf<int> EvalEvery = new("eval.every", "1", Kinds.Whole(1), "choose after every so many epochs");

    public static readonly Leaf<GuardAction> GuardActionKey = new(
        "guard.action", "stop", Kinds.OneOf("actions", ("stop", GuardAction.Stop), ("rollback", GuardAction.Rollback)),
        "when training diverges: end with exit code 5, or go back with a lower learning rate");
    public static readonly Leaf<double> GuardExplode = new(
        "guard.explode", "10", Kinds.Real(0), "diverged when the smoothed loss is so many times its lowest, at least ln(classes); 0 for never");
    public static readonly Leaf<int> GuardConstant = new(
        "guard.constant", "500", Kinds.Whole(0), "diverged when all images of so many steps are put in one class; 0 for never");
    public static readonly Leaf<int> GuardRollbacks = new("guard.rollbacks", "3", Kinds.Whole(1, 100), "roll back at most so often");
    public static readonly Leaf<double> GuardCut = new("guard.cut", "0.5", Kinds.Real(0, 1), "what a rollback multiplies the learning rate with");
    public static readonly Leaf<double> GuardOverfit = new(
        "guard.overfit", "0.02", Kinds.Real(0, 1), "warn when robust validation accuracy falls by this from its best while training's rises; 0 for never");

    public static readonly Leaf<int> CheckpointEpochs = new(
        "checkpoint.epochs", "1", Kinds.Whole(0), "save at the end of every so many epochs; 0 for the last only");
    public static readonly Leaf<int> CheckpointSteps = new("checkpoint.steps", "0", Kinds.Whole(0), "also after every so many steps; 0 for none");
    public static readonly Leaf<double> CheckpointSeconds = new(
        "checkpoint.seconds", "600", Kinds.Real(0), "also when the last checkpoint is so many seconds old; 0 for never");
    public static readonly Leaf<int> CheckpointKeep = new("checkpoint.keep", "2", Kinds.Whole(1), "how many of the newest checkpoints stay");
    public static readonly Leaf<int> CheckpointKeepEvery = new(
        "checkpoint.keep_every", "0", Kinds.Whole(0), "checkpoints at the end of every so many epochs stay for good; 0 for none");

    public static readonly Leaf<string> DeviceName = new(
        "device.name", "auto", Kinds.Device, "what computes: cpu, cuda:0 for the first NVIDIA GPU (no OpenCL), or auto for a GPU where there is one");
    public static readonly Leaf<string> Precision = new(
        "device.precision", "fp32", Kinds.Name("precisions", ["fp32", "tf32", "bf16"]), "how a GPU's convolutions round their factors; sums are fp32");
    public static readonly Leaf<ConvolutionAlgorithm> Convolution = new(
        "device.conv", "auto", Kinds.OneOf("algorithms", ("auto", ConvolutionAlgorithm.Auto), ("direct", ConvolutionAlgorithm.Direct)),
        "convolution: Winograd where it is faster and exact enough, or direct only");

    public static readonly Leaf<ProgressKind> Progress = new(
        "log.progress", "auto",
        Kinds.OneOf(
            "views", ("auto", ProgressKind.Auto), ("live", ProgressKind.Live), ("plain", ProgressKind.Plain), ("none", ProgressKind.None)),
        "how progress is shown on stderr");
    public static readonly Leaf<double> Interval = new("log.interval", "30", Kinds.Real(0), "seconds between two lines of the plain view");
    public static readonly Leaf<bool> TensorBoard = new("log.tensorboard", "true", Kinds.Flag, "write events for TensorBoard into the run's folder tb");

    public static readonly Leaf<string> Out = new("run.out", "runs", Kinds.Text, "folder that holds the run folders");
    public static readonly Leaf<string> RunName = new("run.name", "", Kinds.FolderName, "name in the run's folder; empty for the recipe's");
    public static readonly Leaf<double> MaxMinutes = new(
        "run.max_minutes", "0", Kinds.Real(0), "save and stop after so many minutes, with exit code 7; 0 for no limit");
    public static readonly Leaf<double> Grace = new(
        "run.grace", "60", Kinds.Real(0), "seconds that a stopped run has to finish its step and save; 0 for as long as it takes");
    public static readonly Leaf<bool> Requeue = new(
        "run.requeue", "false", Kinds.Flag, "under Slurm, SIGUSR1 also puts the job back into the queue ('scontrol requeue')");
    public static readonly Leaf<bool> CheckDisk = new("run.check_disk", "true", Kinds.Flag, "refuse a run whose checkpoints will not fit on the disk");
    public static readonly Leaf<int> Threads = new("run.threads", "0", Kinds.Whole(0, 1024), "threads of each process; 0 for one per core");

    public static readonly Leaf<int> Processes = new(
        "run.processes", "1", Kinds.Whole(1, 1024), "processes of this machine that divide each batch and its cores; on GPUs one each");

    /// <summary>All keys, in the order in which a resolved configuration lists them.</summary>
    public static readonly IReadOnlyList<Leaf> All =
    [
        RecipeName, RecipeAbout,
        DataName, DataDir, DataCrop, DataBorder, DataFlip, DataCutout, DataCutMix, Validation,
        ModelName, ModelWidth, ModelBlocks, ModelClasses, ModelStem, ModelWeights, ModelMean, ModelStd,
        MethodName, .. MethodSettings, RpatWeight, RpatAlpha, RpatFormKey, RpatStart, AwpGamma, AwpStart, CleanTeacher, RobustTeacher,
        Norm, Eps, Step, Steps, Restarts, Start, AttackBn,
        Lr, Momentum, WeightDecay, Nesterov, Clip,
        Schedule, Warmup, Milestones, Factor,
        Epochs, Batch, Accumulate, Seed, MaxSteps, OverfitBatch,
        Ema, Swa, AverageStart, AverageReport,
        EvalN, EvalAttacks, EvalBatch, EvalSelect, EvalMonitor, EvalEvery,
        GuardActionKey, GuardExplode, GuardConstant, GuardRollbacks, GuardCut, GuardOverfit,
        CheckpointEpochs, CheckpointSteps, CheckpointSeconds, CheckpointKeep, CheckpointKeepEvery,
        DeviceName, Precision, Convolution,
        Progress, Interval, TensorBoard,
        Out, RunName, Threads, Processes, MaxMinutes, Grace, Requeue, CheckDisk,
    ];

    // The names are checked here so that a wrong one is found before anything is done; a FILE's content is checked when it is read.
    private static string ReadDataSet(string spec)
    {
        string[] names = [.. DataSets.All.Select(set => set.Name)];
        string[] prefixes = [NpzSet.Prefix, ImageFolder.Prefix];
        bool isPath = prefixes.Any(prefix => spec.StartsWith(prefix, StringComparison.Ordinal) && spec.Length > prefix.Length);
        return isPath || names.Contains(spec) ? spec : throw new FormatException(Nearest.Hint(spec, names, "data sets"));
    }

    private static string ReadModel(string name) => ModelCatalog.Find(name) is not null
        ? name
        : throw new FormatException(Nearest.Hint(name, [.. Catalog.Models.Select(x => x.Name)], "models"));

    private static double ReadHeldOut(string text) =>
        Numbers.TryReal(text, out double value) && value >= 0 && (value < 1 || (value == Math.Truncate(value) && value <= int.MaxValue))
            ? value
            : throw new FormatException("it wants a number of images such as 1000, or a share below 1 such as 0.02");

    private static EvalAttack ReadAttack(string name)
    {
        if (name == "clean") return new EvalAttack(name, 0);
        var match = PgdPattern().Match(name);
        if (match.Success) return new EvalAttack(name, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        throw new FormatException($"'{name}' is no attack; {Nearest.Hint(name, [.. Catalog.Attacks.Select(x => x.Name)], "attacks")}");
    }

    [GeneratedRegex(@"^pgd([1-9][0-9]{0,4})\z")]
    private static partial Regex PgdPattern();
}

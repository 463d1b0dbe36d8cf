using Rpat.Robust.Methods;
using Rpat.Robust.Settings;

namespace Rpat.Training.Config;

/// <summary>What no single key can check: values that do not fit each other.</summary>
internal static class ConfigRules
{
    /// <summary>Checks a typed configuration.</summary>
    /// <exception cref="ConfigException">Two values contradict each other.</exception>
    public static void Check(TrainerConfig config, IReadOnlyDictionary<string, ConfigValue> values)
    {
        void Require(bool holds, ConfigKey key, string sentence)
        {
            var entry = values[key.Path];
            if (!holds) throw new ConfigException($"{key.Path} is '{entry.Text}' ({entry.Origin}): {sentence}");
        }

        foreach (var (key, length) in new[]
            { (ConfigKeys.Of(c => c.Attack.Eps), config.Attack.Eps), (ConfigKeys.Of(c => c.Attack.Step), config.Attack.Step) })
            Require(
                Numbers.IsFraction(values[key.Path].Text) || UsualThreat.IsLength(values[key.Path].Text, length, config.Attack.Norm), key,
                $"images lie in [0,1], so write {values[key.Path].Text.Trim()}/255 if that is what is meant.");
        Require(
            config.Attack.Norm != Norm.Linf || config.Attack.Eps <= 1, ConfigKeys.Of(c => c.Attack.Eps),
            "images lie in [0,1], so a linf perturbation is at most 1.");
        Require(
            config.Model.Mean.Count == config.Model.Std.Count, ConfigKeys.Of(c => c.Model.Mean),
            $"model.std has {config.Model.Std.Count} values: give one mean and one deviation for each channel, or neither.");
        Require(Ascending(config.Schedule.Milestones), ConfigKeys.Of(c => c.Schedule.Milestones), "milestones must rise.");
        Require(
            config.Schedule.Warmup <= config.Train.Epochs, ConfigKeys.Of(c => c.Schedule.Warmup),
            $"the run has {Format.Count(config.Train.Epochs, "epoch")} and would "
                + "end before it reaches its learning rate: choose less, or train longer.");
        RequireSettings(config.Method, values);
        var method = config.Method.Info;
        Require(
            config.Data.Augment.CutMix == 0 || !method.NeedsOneClass, ConfigKeys.Of(c => c.Data.Augment.CutMix),
            $"{method.Name} needs one true class for each image: set it to 0, or choose another method.");
        Require(
            config.Data.Augment.Mixup == 0 || !method.NeedsOneClass, ConfigKeys.Of(c => c.Data.Augment.Mixup),
            $"{method.Name} needs one true class for each image: set it to 0, or choose another method.");
        Require(config.Method.Sam.Rho == 0 || Proxies(config.Method) <= 1, ConfigKeys.Of(c => c.Method.Sam.Rho),
            "AWP moves the weights before the same pass: set it to 0, or choose a method without AWP and method.awp.gamma 0.");
        Require(config.Data.Augment is not { Mixup: > 0, CutMix: > 0 }, ConfigKeys.Of(c => c.Data.Augment.Mixup),
            "CutMix mixes the same images: set data.augment.cutmix or data.augment.mixup to 0.");
        Require(
            config.Average.Ema == 0 || !method.LooksAtAverage, ConfigKeys.Of(c => c.Average.Ema),
            $"the loss of {method.Name} looks at its own averaged network: set it to 0, and method.decay instead.");
        Require(
            config.Average.Swa == 0 || !method.LooksAtAverage, ConfigKeys.Of(c => c.Average.Swa),
            $"the loss of {method.Name} looks at its own averaged network, which moves in each step: set it to 0.");
        Require(config.Average.Ema == 0 || config.Average.Swa == 0, ConfigKeys.Of(c => c.Average.Swa),
            "weights are averaged by step or by epoch: set average.ema or average.swa to 0.");
        Require(config.Average.Ema < 1, ConfigKeys.Of(c => c.Average.Ema),
            "averaged weights with a decay of 1 never move: choose less, such as 0.999.");
        Require(
            !config.Optimizer.Nesterov || config.Optimizer.Momentum > 0, ConfigKeys.Of(c => c.Optimizer.Nesterov),
            "it needs a momentum above 0: set optimizer.momentum.");
        Require(
            !config.Optimizer.Nesterov || config.Optimizer.Name == OptimizerKind.Sgd, ConfigKeys.Of(c => c.Optimizer.Nesterov),
            "Adam does not look ahead: set it to false, or optimizer.name to sgd.");
        Require(
            config.Eval.Attacks.DistinctBy(attack => attack.Name).Count() == config.Eval.Attacks.Count, ConfigKeys.Of(c => c.Eval.Attacks),
            "an attack stands twice: remove one.");
        foreach (var attack in config.Eval.Attacks)
            Require(KnowsNorm(attack, config.Attack, out string sentence), ConfigKeys.Of(c => c.Eval.Attacks), sentence);
        Require(KnowsNorm(config.Eval.Monitor, config.Attack, out string monitor), ConfigKeys.Of(c => c.Eval.Monitor), monitor);
        Require(config.Run.Out.Length > 0, ConfigKeys.Of(c => c.Run.Out), "it must name a folder.");
    }

    private static int Proxies(MethodSection method) =>
        method.Perturbed(PgdOptions.Linf).AllModifiers.Count(modifier => modifier.Proxy != ProxyPass.None);

    private static void RequireSettings(MethodSection method, IReadOnlyDictionary<string, ConfigValue> values)
    {
        var info = method.Info;
        foreach (var (name, text) in method.Settings)
        {
            try
            {
                _ = info.Make(new Dictionary<string, string> { [name] = text }, PgdOptions.Linf);
            }
            catch (ArgumentException error)
            {
                string meant = Schema.Lambda.Contains(name) && info.Settings.All(known => known.Name != name)
                    ? "the perception term's is method.rpat.weight" : $"see 'rpat methods show {info.Name}'";
                throw new ConfigException($"{error.Message.TrimEnd('.')} ({values[$"method.{name}"].Origin}); {meant}.", error);
            }
        }
    }

    private static bool KnowsNorm(EvalAttack attack, AttackSection threat, out string sentence)
    {
        sentence = "";
        try
        {
            _ = attack.Suite(threat, AutoAttack.StandardClasses);
            return true;
        }
        catch (ArgumentException error)
        {
            sentence = error.Message;
            return false;
        }
    }

    private static bool Ascending(IReadOnlyList<int> values) => values.Zip(values.Skip(1)).All(pair => pair.First < pair.Second);
}

using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>--augment crop,flip,cutout=8</c>: all of <c>data.augment</c> at once; anything not named is off.</summary>
internal sealed class AugmentOption
{
    private const string None = "none";

    private static readonly (string Name, ConfigKey Key, string Usual)[] _kinds =
    [
        ("crop", ConfigKeys.Of(c => c.Data.Augment.CropPad), "4"), ("flip", ConfigKeys.Of(c => c.Data.Augment.Flip), "true"),
        ("cutout", ConfigKeys.Of(c => c.Data.Augment.Cutout), "16"), ("cutmix", ConfigKeys.Of(c => c.Data.Augment.CutMix), "1"),
        ("policy", ConfigKeys.Of(c => c.Data.Augment.Policy), "autoaugment"), ("mixup", ConfigKeys.Of(c => c.Data.Augment.Mixup), "1"),
    ];

    private readonly Option<string?> _option = new("--augment")
    {
        Description =
            "augmentations, all others off: crop (=4 pixels), flip, policy (=autoaugment or randaugment), cutout (=16 pixels), cutmix "
                + "(=1, share of batches), mixup (=1, alpha), or none (data.augment)",
        HelpName = "NAME[=VALUE],…",
    };

    /// <summary>The option, to be added to a command.</summary>
    public Option Option => _option;

    /// <summary>The keys that it sets.</summary>
    /// <exception cref="UsageException">It names an augmentation that does not exist.</exception>
    public IEnumerable<(string Flag, ConfigKey Key, string Text)> Given(ParseResult parsed)
    {
        if (parsed.GetValue(_option) is not { } text) return [];
        var wanted = new Dictionary<string, string?>();
        foreach (string[] item in ConfigValue.Items(text).Where(item => item != None).Select(item => item.Split('=', 2)))
            if (!wanted.TryAdd(Known(item[0]), item.ElementAtOrDefault(1)))
                throw new UsageException($"--augment names '{item[0]}' twice: name it once.");
        return _kinds.Select(kind => (_option.Name, kind.Key,
            wanted.TryGetValue(kind.Name, out string? value) ? value ?? kind.Usual : kind.Key.Default));
    }

    private static string Known(string name) => _kinds.Any(kind => kind.Name == name)
        ? name
        : throw new UsageException(
        $"--augment has '{name}': {DidYouMean.Hint(name, [.. _kinds.Select(kind => kind.Name), None], "augmentations")}");
}

using System.CommandLine;
using Rpat.Trainer.Bench;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>--device</c> of the commands that take no configuration. The environment's value of <c>device.name</c> is its default.
/// </summary>
internal sealed class DeviceOption
{
    private readonly CommandContext _host;
    private readonly Option<string?> _option = new("--device")
    { Description = ConfigKeys.Of(c => c.Device.Name).Doc, HelpName = "cpu|cuda:N|auto" };
    private bool _said;

    /// <summary>Makes the option.</summary>
    /// <param name="host">Supplies the environment, and reports a choice.</param>
    public DeviceOption(CommandContext host)
    {
        _host = host;
        _option.CompletionSources.Add("cpu", "cuda:0", "auto");
    }

    /// <summary>The option, to be added to a command.</summary>
    public Option Option => _option;

    /// <summary>The name of the chosen device; what <c>auto</c> resolves to is reported once.</summary>
    /// <exception cref="UsageException">There are no such devices.</exception>
    public string Name(ParseResult parsed)
    {
        string name = DeviceFactory.Settle(Checked(parsed.GetValue(_option) ?? FromEnvironment(), _option.Name), _said ? _ => { } : _host.Note);
        _said = true;
        return name;
    }

    /// <summary>The same for a device that produces results: a GPU must have passed its self-test.</summary>
    /// <exception cref="UsageException">There are no such devices.</exception>
    /// <exception cref="DeviceException">Its kernels compute wrongly.</exception>
    public string Trusted(ParseResult parsed)
    {
        string name = Name(parsed);
        new FirstUse(_host).Require(name, ConfigKeys.Of(c => c.Device.Precision).Default);
        return name;
    }

    private string FromEnvironment() =>
        Layers.Environment(_host.Environment).Entries.GetValueOrDefault(ConfigKeys.Of(c => c.Device.Name).Path)?.Text
        ?? ConfigKeys.Of(c => c.Device.Name).Default;

    /// <summary>The name of a device, whether there is one or not.</summary>
    /// <param name="option">Where it was given.</param>
    /// <exception cref="UsageException">No device has such a name.</exception>
    public static string Checked(string name, string option)
    {
        try
        {
            return (string)ConfigKeys.Of(c => c.Device.Name).Setting.Kind.Parse(name)!;
        }
        catch (FormatException error)
        {
            throw new UsageException($"{option} is '{name}': {error.Message}.", error);
        }
    }
}

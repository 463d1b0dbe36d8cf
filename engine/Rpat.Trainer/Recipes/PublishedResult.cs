using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Rpat.Trainer.Recipes;

/// <summary>What a publication says that a recipe reaches, in percent.</summary>
/// <param name="Row">Which row of which table, such as <c>RPAT++ (ICCV'25)</c>.</param>
/// <param name="Clean">Accuracy on clean images.</param>
/// <param name="Aa">Accuracy under AutoAttack; NaN when only other attacks were published.</param>
/// <param name="Mean">(clean + aa)/2 as printed.</param>
/// <param name="Nrr">2·clean·aa/(clean + aa) as printed.</param>
internal sealed record PublishedResult(string Row, double Clean, double Aa, double Mean, double Nrr)
{
    /// <summary>Reads the section's lines.</summary>
    internal static PublishedResult Read(string yaml)
    {
        var keys = Pairs(yaml);
        double Number(string key) => keys.TryGetValue(key, out string? text) ? double.Parse(text, CultureInfo.InvariantCulture) : double.NaN;
        return new PublishedResult(keys["row"], Number("clean"), Number("aa"), Number("mean"), Number("nrr"));
    }

    /// <summary>Keys and values of a section of plain lines.</summary>
    internal static Dictionary<string, string> Pairs(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return ((YamlMappingNode)stream.Documents[0].RootNode).Children.ToDictionary(p => ((YamlScalarNode)p.Key).Value!, p => ((YamlScalarNode)p.Value).Value!);
    }
}

using System.Text.Json.Nodes;

namespace Rpat.Training.Config;

/// <summary>Writes the configuration's keys as a JSON Schema (draft 2020-12), with which editors complete and check files.</summary>
internal static class JsonSchemaWriter
{
    private static readonly JsonSerializerOptions _format = new()
    { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The whole schema.</summary>
    public static string Write()
    {
        var root = Section();
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        root["title"] = "rpat configuration";
        Properties(root)[Schema.Extends] = new JsonObject { ["type"] = "string", ["description"] = "file or recipe to build on" };
        foreach (var leaf in ConfigKeys.All) Add(root, leaf);
        AllowShorthands(root);
        return root.ToJsonString(_format) + "\n";
    }

    private static void Add(JsonObject root, ConfigKey leaf)
    {
        string[] parts = leaf.Path.Split('.');
        var at = root;
        foreach (string name in parts[..^1])
        {
            var properties = Properties(at);
            if (properties[name] is not JsonObject section) properties[name] = section = Section();
            at = section;
        }

        Properties(at)[parts[^1]] = leaf.Schema();
    }

    // 'method: trades' is short for 'method: { name: trades }'.
    private static void AllowShorthands(JsonObject root)
    {
        var properties = Properties(root);
        foreach (string name in properties.Select(pair => pair.Key).Where(Schema.HasShorthand).ToList())
        {
            var section = properties[name]!;
            properties[name] = null;
            properties[name] = new JsonObject { ["anyOf"] = new JsonArray(section, new JsonObject { ["type"] = "string" }) };
        }
    }

    private static JsonObject Section() =>
        new() { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = new JsonObject() };

    private static JsonObject Properties(JsonObject section) => (JsonObject)section["properties"]!;
}

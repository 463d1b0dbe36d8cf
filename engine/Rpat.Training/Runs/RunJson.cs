using System.Text.Encodings.Web;
using System.Text.Json.Serialization;

namespace Rpat.Training.Runs;

/// <summary>
/// How the JSON files of a run folder are written, and read by whoever trusts none of it: what is missing, or null where nothing may be
/// null, is an error.
/// </summary>
internal static class RunJson
{
    /// <summary>The format.</summary>
    public static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };
}
